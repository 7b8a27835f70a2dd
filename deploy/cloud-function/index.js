// Asks one of WeChat's data interfaces by cloud call (云调用). The exporter starts it through
// tcb/invokecloudfunction, so it needs no user and no token. docs/cloud.md explains how to upload it.
const cloud = require('wx-server-sdk')

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV })

// The allowed interfaces, which config.json declares too.
const INTERFACES = [
  'getDailyVisitTrend',
  'getWeeklyVisitTrend',
  'getMonthlyVisitTrend',
  'getDailySummary',
  'getDailyRetain',
  'getVisitDistribution',
  'getVisitPage',
]
const NOT_DECLARED = -604101

// event: {interface, beginDate, endDate}; the interface defaults to getDailyVisitTrend, dates are yyyymmdd.
// Returns WeChat's answer with errMsg '…:ok', or {errCode, errMsg} of the error, as a thrown error would reach
// the exporter only as a text.
exports.main = async (event) => {
  const { interface: name = 'getDailyVisitTrend', beginDate, endDate } = event
  if (!INTERFACES.includes(name)) {
    return { errCode: NOT_DECLARED, errMsg: `openapi.analysis.${name}:fail not an interface of this function` }
  }
  try {
    return await cloud.openapi.analysis[name]({ beginDate, endDate })
  } catch (error) {
    return {
      errCode: Number.isInteger(error.errCode) ? error.errCode : -1,
      errMsg: String(error.errMsg || error.message || error),
    }
  }
}
