import type { englishReports } from './en.reports.js';

const number = new Intl.NumberFormat('zh-CN');
const percent = new Intl.NumberFormat('zh-CN', { style: 'percent', maximumFractionDigits: 0 });
const counters = { days: '天', weeks: '周', months: '个月' };

export const chineseReports: typeof englishReports = {
  title: '经营报表',
  units: {
    days: { one: '日期', many: '按日' },
    weeks: { one: '周', many: '按周' },
    months: { one: '月份', many: '按月' },
  },
  span: { days: '近 14 天', weeks: '近 12 周', months: '近 12 个月' },
  chart: { days: '每日销售额', weeks: '每周销售额', months: '每月销售额' },
  table: { days: '每日明细', weeks: '每周明细', months: '每月明细' },
  number: (count) => number.format(count),
  orders: '订单数',
  ordersCount: (count) => `${number.format(count)} 笔订单`,
  sales: '销售额',
  refunds: '退款',
  net: '净销售额',
  paidOut: '提现',
  total: '合计',
  soFar: '（至今）',
  most: (amount) => `最高 ${amount}`,
  bar: (period, count, sales) => `${period}：${number.format(count)} 笔订单，${sales}`,
  before: (count, unit) => `上一周期（${count} ${counters[unit]}）销售额`,
  change: (change) => {
    if (Math.abs(change) < 0.005) return '本期基本持平';
    return `本期${change > 0 ? '增长' : '下降'} ${percent.format(Math.abs(change))}`;
  },
  empty: '这段时间没有销售、退款或提现。',
  counting: '销售额按货款到账时间统计，退款和取消按退回时间统计，日期以本设备时区为准。',
  allStores: '数据包含您的所有店铺。',
  now: '当前资金',
  available: '可用余额',
  withdraw: '去提现',
  held: '待结算',
  heldUntil: (counts) =>
    `买家确认收货后结算${counts ? `：${number.format(counts.paid)} 笔待发货，${number.format(counts.shipped)} 笔运输中` : ''}。`,
  nothingHeld: '暂无待结算货款。',
  download: '导出数据',
  downloadIntro: (span) => `导出 ${span} 的 CSV 文件，订单按下单时间筛选。`,
  downloads: { report: '本报表', orders: '订单明细', transactions: '收支明细' },
  files: { report: '经营报表', orders: '订单明细', transactions: '收支明细' },
  csvHeads: ['开始日期', '结束日期', '订单数', '销售额', '退款', '提现'],
};
