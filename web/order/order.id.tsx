import { useState } from 'react';
import { useOrderPageTexts } from '../i18n/order.page.js';

/** An order's whole id, for letters and other programs. */
export function OrderId({ orderId }: { orderId: string }) {
  const t = useOrderPageTexts();
  const [isCopied, setCopied] = useState(false);
  return (
    <p className="order-id quiet">
      {t.orderId} <code>{orderId}</code>{' '}
      <button
        type="button"
        className="quiet-button"
        onClick={() =>
          navigator.clipboard.writeText(orderId).then(
            () => setCopied(true),
            () => undefined,
          )
        }
      >
        {t.copy}
      </button>{' '}
      <span role="status">{isCopied && t.copied}</span>
    </p>
  );
}
