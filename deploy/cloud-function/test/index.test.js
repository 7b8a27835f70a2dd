// The function against a fake wx-server-sdk: `node --test test/`, nothing to install.
const assert = require('node:assert')
const Module = require('node:module')
const { test } = require('node:test')

const calls = []
let answer
const analysis = new Proxy({}, {
  get: (_, name) => async (options) => {
    calls.push([name, options])
    return answer()
  },
})
const fake = {
  DYNAMIC_CURRENT_ENV: Symbol('current'),
  init: (options) => calls.push(['init', options]),
  openapi: { analysis },
}
const load = Module._load
Module._load = (name, ...rest) => (name === 'wx-server-sdk' ? fake : load(name, ...rest))
const { main } = require('../index.js')

const DECLARED = require('../config.json').permissions.openapi
const DAY = { beginDate: '20261123', endDate: '20261123' }
const ROW = {
  list: [{ refDate: '20261123', sessionCnt: 142549, visitPv: 472351, visitUv: 55500, visitUvNew: 5464 }],
  errMsg: 'openapi.analysis.getDailyVisitTrend:ok',
}

test('it works in its own environment', () => {
  assert.deepStrictEqual(calls[0], ['init', { env: fake.DYNAMIC_CURRENT_ENV }])
})

test('it asks for the day it is given, and for nothing else', async () => {
  answer = () => ROW
  assert.deepStrictEqual(await main({ ...DAY, userInfo: { appId: 'wx0' } }), ROW)
  assert.deepStrictEqual(calls.at(-1), ['getDailyVisitTrend', DAY])
})

test('it asks the interface that is named', async () => {
  for (const permission of DECLARED) {
    const name = permission.replace('analysis.', '')
    answer = () => ({ list: [], errMsg: `openapi.analysis.${name}:ok` })
    await main({ interface: name, beginDate: '20261116', endDate: '20261122' })
    assert.deepStrictEqual(calls.at(-1), [name, { beginDate: '20261116', endDate: '20261122' }])
  }
})

test('another interface than those of config.json is refused, and not called', async () => {
  for (const name of ['getUserPortrait', 'constructor', '', null, 5]) {
    const before = calls.length
    const returned = await main({ ...DAY, interface: name })
    assert.strictEqual(returned.errCode, -604101)
    assert.ok(!returned.errMsg.endsWith(':ok'))
    assert.strictEqual(calls.length, before)
  }
})

test('an error of the call is returned with its code', async () => {
  const errMsg = 'openapi.analysis.getDailyVisitTrend:fail data not ready, please try later'
  answer = () => { throw Object.assign(new Error('x'), { errCode: 61503, errMsg }) }
  assert.deepStrictEqual(await main(DAY), { errCode: 61503, errMsg })
})

test('a missing permission is returned as such', async () => {
  answer = () => { throw Object.assign(new Error('x'), { errCode: -604101, errMsg: 'no permission' }) }
  assert.deepStrictEqual(await main(DAY), { errCode: -604101, errMsg: 'no permission' })
})

test('any other error becomes one that the exporter recognises', async () => {
  answer = () => { throw new Error('socket hang up') }
  assert.deepStrictEqual(await main(DAY), { errCode: -1, errMsg: 'socket hang up' })
})

test('config.json asks for no permission twice', () => {
  assert.strictEqual(new Set(DECLARED).size, DECLARED.length)
})
