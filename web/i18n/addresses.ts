import { useTopic } from './language.js';

/** Texts of the saved addresses, which load with the cart. */
const english = {
  another: 'A new address',
  none: 'No address',
  default: 'Default',
  edit: 'Edit',
  delete: 'Delete',
  makeDefault: 'Make default',
  saveChanges: 'Save',
  cancel: 'Cancel',
  deleted: 'Address deleted.',
  undo: 'Undo',
  save: 'Save this address',
  full: 'You’ve saved 20 addresses. Delete one to save another.',
};

const chinese: typeof english = {
  another: '使用新地址',
  none: '不填地址',
  default: '默认',
  edit: '编辑',
  delete: '删除',
  makeDefault: '设为默认',
  saveChanges: '保存',
  cancel: '取消',
  deleted: '地址已删除。',
  undo: '撤销',
  save: '保存此地址',
  full: '最多保存 20 个地址，请先删除一个。',
};

const texts = { en: english, zh: chinese };

export function useAddressTexts(): typeof english {
  return useTopic(texts);
}
