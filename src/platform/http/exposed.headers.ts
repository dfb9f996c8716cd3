import { REPLAYED_HEADER, SEQ_HEADER } from '../../contract/wire.js';
import { REQUEST_ID_HEADER } from '../observability/request.observer.js';

/** Headers of answers that pages of allowed origins may read. */
export const EXPOSED_HEADERS = [SEQ_HEADER, REPLAYED_HEADER, REQUEST_ID_HEADER, 'Retry-After'];
