/** The page to which the provider leads back: the order that the money is for, or the wallet. */
export function returnUrlOf(publicUrl: string, { orderId }: { orderId: string | null }): string {
  return `${publicUrl.replace(/\/$/, '')}/#/${orderId === null ? 'wallet' : `orders/${orderId}`}`;
}
