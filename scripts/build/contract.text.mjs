/** Calls that only document a shape. */
const DOCUMENTING = ['describe', 'meta'];
/** What only the API documents show of a row of the contract. An error's `when` stays: it is the default message. */
const TEXTS = ['summary', 'description'];
const TEXT_TYPES = ['Literal', 'TemplateLiteral', 'BinaryExpression'];

/** Leaves the contract's documentation out of the browser pages, which parse by its shapes and show none of its texts. */
export const withoutContractText = {
  name: 'without-contract-text',
  transform(code, path) {
    if (!path.includes('/src/contract/')) return;
    const cuts = [];
    visit(this.parse(code), (node) => {
      if (node.type === 'CallExpression' && DOCUMENTING.includes(node.callee.property?.name)) {
        cuts.push({ start: node.callee.object.end, end: node.end, by: '' });
      }
      if (node.type === 'Property' && TEXTS.includes(node.key.name) && TEXT_TYPES.includes(node.value.type)) {
        cuts.push({ start: node.value.start, end: node.value.end, by: "''" });
      }
    });
    return { code: cut(code, cuts), map: null };
  },
};

function visit(node, look) {
  look(node);
  for (const child of Object.values(node).flat()) {
    if (typeof child?.type === 'string') visit(child, look);
  }
}

/** A cut within another is made with it. */
function cut(code, cuts) {
  let [kept, from] = ['', 0];
  for (const { start, end, by } of cuts.sort((one, other) => one.start - other.start)) {
    if (start < from) continue;
    kept += code.slice(from, start) + by;
    from = end;
  }
  return kept + code.slice(from);
}
