// Calls a gateway with the official client, signed and with an AppCode.
// Arguments: folder of the packages, base URL, key, secret, code. Prints one line of JSON a call.
'use strict';

const [folder, base, key, secret, code] = process.argv.slice(2);
const { Client, SimpleClient } = require(folder + '/node_modules/aliyun-api-gateway');

async function main() {
  const signed = new Client(key, secret, 'TEST');
  const simple = new SimpleClient(code);
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
  const calls = {
    get: () => signed.get(`${base}/get?b=2&a=1`, { query: { name: 'rex dog', empty: '', tag: ['x', 'y'] } }),
    signHeaders: () => signed.get(`${base}/headers`, { signHeaders: { 'X-Custom': 'a, b' } }),
    form: () => signed.post(`${base}/form?page=2`, { headers: form, data: { a: '1', b: 'x y&z', é: 'ü', empty: '' } }),
    json: () => signed.post(`${base}/json`, { data: { hello: 'wörld' } }),
    text: () => signed.post(`${base}/text`, { headers: { 'content-type': 'text/plain' }, data: 'line\nline' }),
    put: () => signed.put(`${base}/put?v=1`, { data: { hello: 'world' } }),
    delete: () => signed.delete(`${base}/delete?v=1`, {}),
    wrong: () => new Client(key, secret + 'x', 'TEST').get(`${base}/wrong`),
    unknown: () => new Client(key + 'x', secret, 'TEST').get(`${base}/unknown`),
    expired: () => new Client(key, secret, 'PRE').get(`${base}/expired`),
    simpleGet: () => simple.get(`${base}/simple?a=1`),
    simplePost: () => simple.post(`${base}/simple`, { data: { hello: 'world' } }),
    simpleWrong: () => new SimpleClient(code + 'x').get(`${base}/simple`),
  };
  for (const [name, call] of Object.entries(calls)) {
    let line;
    try {
      line = { name, answer: await call() };
    } catch (error) {
      const headers = (error.data && error.data.headers) || {};
      line = { name, status: error.code, code: headers['x-ca-error-code'], message: error.message };
    }
    console.log(JSON.stringify(line));
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
