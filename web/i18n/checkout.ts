import { useTopic } from './language.js';

const orders = (count: number) => (count === 1 ? '1 order' : `${count} orders`);

/** Texts of a checkout of several stores, which load with the cart. */
const english = {
  title: (stores: number) => `Order from ${stores} stores`,
  button: (count: number, total: string) => `Place and pay for ${orders(count)}: ${total}`,
  placing: 'Placing your orders…',
  paying: 'Paying for your orders…',
  note: 'Each store gets its own order, paid from your wallet. If a price changes, we’ll ask you before ordering.',
  newOrders: 'Your new orders',
  paid: (count: number) => `${orders(count)} placed and paid.`,
  unpaid: (count: number) => `${orders(count)} placed, but not paid yet.`,
  failed: (count: number) => `${orders(count)} couldn’t be placed. The reason is shown with each store.`,
};

const chinese: typeof english = {
  title: (stores) => `向 ${stores} 家店铺下单`,
  button: (count, total) => `提交并支付 ${count} 笔订单：${total}`,
  placing: '正在提交订单…',
  paying: '正在付款…',
  note: '每家店铺单独生成一笔订单，用钱包余额付款。如价格有变动，下单前会先请您确认。',
  newOrders: '新订单',
  paid: (count) => `${count} 笔订单已提交并付款。`,
  unpaid: (count) => `${count} 笔订单已提交，待付款。`,
  failed: (count) => `${count} 笔订单未能提交，原因见各店铺。`,
};

const texts = { en: english, zh: chinese };

export function useCheckoutTexts(): typeof english {
  return useTopic(texts);
}
