import type { Page } from 'puppeteer-core';
import { ask } from './chromium.ts';

/** Texts in sight that stand out from their ground by less than 4.5 to 1 (WCAG 2.2, 1.4.3), with their contrast. */
export function textsWithLowContrast(page: Page): Promise<string[]> {
  return ask(page, `(${lowContrast})()`);
}

// Runs in the page, so it stands here as text: this side knows no document.
const lowContrast = String.raw`() => {
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      const alpha = channels(color)[3] ?? 1;
      if (alpha === 1) return color;
      if (alpha !== 0) throw new Error('a ground that shines through: ' + at.className);
    }
    throw new Error('no ground');
  };
  const found = [];
  let seen = 0;
  for (const element of document.body.querySelectorAll('*')) {
    const isText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    const isField = element.matches('input[type=search]');
    if (!(isText || isField) || element.matches('script, style, noscript') || !element.checkVisibility()) continue;
    seen++;
    const color = getComputedStyle(element, isField ? '::placeholder' : undefined).color;
    const [light, dark] = [luminance(color), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push(element.className + ' "' + element.textContent.slice(0, 30) + '" ' + contrast.toFixed(2));
  }
  if (seen < 20) throw new Error('there are only ' + seen + ' texts to look at');
  return [...new Set(found)];
}`;
