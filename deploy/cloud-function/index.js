// Asks for one day of getDailyVisitTrend by cloud call (云调用): started by the exporter through
// tcb/invokecloudfunction, so no user and no token is needed here. docs/cloud.md tells how to upload it.
const cloud = require('wx-server-sdk')

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV })

// event: {beginDate, endDate}, both yyyymmdd and the same day.
// Returns {list: [row], errMsg: '…:ok'}, or {errCode, errMsg} of what went wrong: an error that is thrown
// would reach the exporter only as a text.
exports.main = async (event) => {
  const { beginDate, endDate } = event
  try {
    return await cloud.openapi.analysis.getDailyVisitTrend({ beginDate, endDate })
  } catch (error) {
    return {
      errCode: Number.isInteger(error.errCode) ? error.errCode : -1,
      errMsg: String(error.errMsg || error.message || error),
    }
  }
}
