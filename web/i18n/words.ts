/** Texts about addresses and notes. */
export const englishWords = {
  address: {
    title: 'Deliver to',
    optional: 'Deliver to (optional)',
    fields: {
      name: 'Name',
      lines: 'Address',
      city: 'City',
      region: 'State or province',
      postcode: 'Postcode',
      country: 'Country',
      phone: 'Phone',
    },
    problem: 'The address is not complete: it needs a name and at least one line. Nothing was ordered.',
  },
  notes: {
    title: (count: number | undefined) => (count === undefined ? 'Notes' : `Notes (${count})`),
    write: 'Write a note',
    send: 'Send note',
    sending: 'Sending…',
    you: 'You',
    erased: 'This note was erased.',
  },
};

export const chineseWords: typeof englishWords = {
  address: {
    title: '收货地址',
    optional: '收货地址（选填）',
    fields: {
      name: '收货人',
      lines: '详细地址',
      city: '城市',
      region: '省份',
      postcode: '邮编',
      country: '国家或地区',
      phone: '电话',
    },
    problem: '地址不完整：请填写收货人和至少一行地址。没有下单。',
  },
  notes: {
    title: (count) => (count === undefined ? '留言' : `留言（${count}）`),
    write: '写一条留言',
    send: '发送留言',
    sending: '发送中……',
    you: '我',
    erased: '这条留言已被清除。',
  },
};
