import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useDeskTexts } from '../i18n/desk.js';
import type { LoadedOrder } from '../loaded.order.js';
import { DeskRow, linkIdOf } from './desk.row.js';

const ROW_HEIGHT_PX = 60;
/** Below the page's header, and above its navigation and the bar of the selection. */
const COVERED_PX = { top: 80, bottom: 150 };
/** Rows before the end of the list at which more are loaded. */
const LOAD_AHEAD = 10;
/** Frames in which a row that was scrolled to is rendered. */
const FOCUS_FRAMES = 10;

interface DeskListProps {
  orders: readonly LoadedOrder[];
  index: number;
  /** Counts the moves by keyboard: each brings the current row into view, and focuses it. */
  moves: number;
  selected: ReadonlySet<string>;
  unseenIds: ReadonlySet<string>;
  onCurrent: (orderId: string) => void;
  onSelect: (orderIds: string[], isSelected: boolean) => void;
  onShip: (orderId: string) => void;
  onNearEnd: (() => void) | undefined;
}

/** Any number of orders: those in sight are rendered, and all can be reached. */
export function DeskList(props: DeskListProps) {
  const { orders, index, moves, selected, unseenIds, onCurrent, onSelect, onShip, onNearEnd } = props;
  const t = useDeskTexts();
  const list = useRef<HTMLUListElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => setScrollMargin(list.current?.offsetTop ?? 0), []);
  const virtualizer = useWindowVirtualizer({
    count: orders.length,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 8,
    scrollMargin,
    scrollPaddingStart: COVERED_PX.top,
    scrollPaddingEnd: COVERED_PX.bottom,
    getItemKey: (at) => orders[at]?.orderId ?? at,
  });
  useFocusAfterMove(moves, orders[index]?.orderId, () => virtualizer.scrollToIndex(index));
  const rows = virtualizer.getVirtualItems();
  const isNearEnd = (rows.at(-1)?.index ?? 0) >= orders.length - LOAD_AHEAD;
  const latestOnNearEnd = useRef(onNearEnd);
  latestOnNearEnd.current = onNearEnd;
  const length = orders.length;
  useEffect(() => {
    if (isNearEnd && length > 0) latestOnNearEnd.current?.();
  }, [isNearEnd, length]);
  return (
    <ul ref={list} className="desk-list" aria-label={t.title} style={{ height: virtualizer.getTotalSize() }}>
      {rows.map(({ key, index: at, start }) => {
        const order = orders[at];
        return order ? (
          <li
            key={key}
            ref={virtualizer.measureElement}
            data-index={at}
            aria-setsize={orders.length}
            aria-posinset={at + 1}
            style={{ transform: `translateY(${start - scrollMargin}px)` }}
          >
            <DeskRow
              order={order}
              isCurrent={at === index}
              isSelected={selected.has(order.orderId)}
              isNew={unseenIds.has(order.orderId)}
              {...{ onCurrent, onSelect, onShip }}
            />
          </li>
        ) : null;
      })}
    </ul>
  );
}

function useFocusAfterMove(moves: number, orderId: string | undefined, scroll: () => void): void {
  const latest = useRef({ orderId, scroll });
  latest.current = { orderId, scroll };
  const done = useRef(moves);
  useEffect(() => {
    if (moves === done.current) return;
    done.current = moves;
    latest.current.scroll();
    let frame = 0;
    let request = 0;
    const focus = () => {
      const link = document.getElementById(linkIdOf(latest.current.orderId ?? ''));
      if (link) link.focus({ preventScroll: true });
      else if (frame++ < FOCUS_FRAMES) request = requestAnimationFrame(focus);
    };
    focus();
    return () => cancelAnimationFrame(request);
  }, [moves]);
}
