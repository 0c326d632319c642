// A day in words, in the page's language and as the server writes it: 2026年12月1日, 1 Dec 2026. Days are days in China.

const isChinese = () => document.documentElement.lang.startsWith("zh");
const spoken = (moment, form) =>
  moment.toLocaleDateString(isChinese() ? "zh-CN" : "en-GB", { timeZone: "Asia/Shanghai", ...form });

/** A moment's day with its year. */
export const dayInWords = (moment) => spoken(moment, { year: "numeric", month: isChinese() ? "long" : "short", day: "numeric" });

/** A near day (YYYY-MM-DD) with its weekday, without its year. */
export function nearDayInWords(day) {
  const noon = new Date(`${day}T12:00:00+08:00`);
  const weekday = spoken(noon, { weekday: "short" });
  const rest = spoken(noon, { month: isChinese() ? "long" : "short", day: "numeric" });
  return isChinese() ? `${rest} ${weekday}` : `${weekday} ${rest}`;
}

/** A moment to the minute, China's time: 2026年12月1日 09:30, 1 Dec 2026, 09:30. */
export function momentInWords(moment) {
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" };
  const gap = document.documentElement.lang === "en" ? ", " : " ";
  return `${dayInWords(moment)}${gap}${moment.toLocaleTimeString("en-GB", clock)}`;
}
