// Asks one of WeChat's data interfaces by cloud call (云调用): started by the exporter through
// tcb/invokecloudfunction, so no user and no token is needed here. docs/cloud.md explains how to upload it.
const cloud = require('wx-server-sdk')

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV })

// The interfaces that may be asked for; config.json declares the same ones.
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

// event: {interface, beginDate, endDate}; the interface is getDailyVisitTrend where none is named, dates are
// yyyymmdd. Returns WeChat's answer with errMsg '…:ok', or {errCode, errMsg} of what went wrong: an error that
// is thrown would reach the exporter only as a text.
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
