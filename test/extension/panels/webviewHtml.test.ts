import { describe, expect, test } from 'vitest';
import { contentSecurityPolicy, webviewHtml } from '../../../extension/panels/webviewHtml.ts';

const page = {
  title: 'kaf <light> & "co"',
  data: { runId: 'a"b' },
  script: 'https://example.test/dashboard.js',
  styles: ['https://example.test/dashboard.css'],
  codicons: 'https://example.test/codicon.css',
  cspSource: 'https://example.test',
  nonce: 'abc123',
};

describe('the page of a webview', () => {
  test('lets in nothing but its own script, styles, icon font and pictures', () => {
    expect(contentSecurityPolicy(page)).toBe(
      "default-src 'none'; script-src 'nonce-abc123'; style-src https://example.test; font-src https://example.test; img-src https://example.test",
    );
  });

  test('gives every script the nonce', () => {
    const scripts = webviewHtml(page).match(/<script[^>]*>/g) ?? [];
    expect(scripts).toHaveLength(1);
    for (const script of scripts) expect(script).toContain('nonce="abc123"');
  });

  test('escapes title and data', () => {
    const html = webviewHtml(page);
    expect(html).toContain('<title>kaf &lt;light&gt; &amp; &quot;co&quot;</title>');
    expect(html).toContain('<body data-run-id="a&quot;b">');
  });
});
