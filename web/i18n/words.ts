/** Texts about addresses and notes. */
export const englishWords = {
  address: {
    title: 'Ship to',
    optional: 'Ship to (optional)',
    fields: {
      name: 'Name',
      lines: 'Address',
      city: 'City',
      region: 'State or province',
      postcode: 'Postcode',
      country: 'Country',
      phone: 'Phone',
    },
    problem: 'Add a name and a street address to place this order.',
  },
  notes: {
    title: (count: number | undefined) => (count === undefined ? 'Messages' : `Messages (${count})`),
    write: 'Write a message',
    send: 'Send',
    sending: 'Sending…',
    you: 'You',
    erased: 'This message was deleted.',
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
    problem: '请填写收货人和详细地址后再下单。',
  },
  notes: {
    title: (count) => (count === undefined ? '留言' : `留言（${count}）`),
    write: '输入留言',
    send: '发送',
    sending: '发送中…',
    you: '我',
    erased: '该留言已删除。',
  },
};
