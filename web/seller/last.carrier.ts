import { persistedStore } from '../store.js';

/** Most sellers use one carrier, so the last one is the default. */
export const lastCarrier = persistedStore('carrier', '');
