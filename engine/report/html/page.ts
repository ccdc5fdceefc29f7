import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { installation } from '../../base/installation.ts';
import type { ResultTable } from '../audit/result-table.ts';
import { pageData } from './page-data.ts';

/** The page's parts, in the folder `page/` beside this file; the scripts run in this order. */
const scripts = ['data.js', 'filter.js', 'matrix.js', 'diff.js', 'details.js', 'findings.js', 'hosts.js', 'main.js'];

/**
 * A run as one HTML page that needs nothing else: style, script and data are in it. Its policy lets the browser load
 * nothing, and run this one script and no other, whatever a host has written.
 */
export function renderPage(table: ResultTable, version: string): string {
  const style = readPart('page.css');
  const script = `(() => {\n'use strict';\n${scripts.map(readPart).join('\n')}})();\n`;
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `script-src ${digestOf(script)}`,
    `style-src ${digestOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const values: Readonly<Record<string, string>> = {
    policy,
    style,
    script,
    data: jsonForScript(pageData(table, version)),
  };
  return readPart('page.html').replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

/** JSON that can stand in a script element: nothing in it ends the element or a line of JavaScript. */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function readPart(name: string): string {
  return readFileSync(new URL(`engine/report/html/page/${name}`, installation), 'utf8');
}

function digestOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
