/** Translations of the problems that the contract reports for a field. */
const problems: [english: RegExp, chinese: string][] = [
  [/^must have (\d+) to (\d+) characters$/, '应有 $1 到 $2 个字符'],
  [/^must be a whole number from (\d+) to (\d+)$/, '应是 $1 到 $2 的整数'],
  [/^must have at most (\d+) fields$/, '最多 $1 项'],
  [/^must be at most (\d+) bytes of JSON$/, '最多 $1 字节'],
  [/^must not contain control characters$/, '不能有控制字符'],
  [/^must not contain format characters$/, '不能有不可见的格式字符'],
  [/^must not be \. or \.\.$/, '不能是 . 或 ..'],
  [/^must not begin or end with white space$/, '首尾不能有空白'],
  [/^must be an http or https address, or a path$/, '应是 http 或 https 网址，或一个路径'],
  [/^Too big: expected array to have <=(\d+) items$/, '最多 $1 个'],
  [/^is not a valid field name$/, '中有一项没有名称'],
];

export function problemInChinese(problem: string): string {
  for (const [english, chinese] of problems) if (english.test(problem)) return problem.replace(english, chinese);
  return problem;
}
