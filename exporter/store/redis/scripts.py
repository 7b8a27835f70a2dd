"""Lua scripts for atomic changes in Redis.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from typing import Final

SAVE_ROWS: Final = """
-- KEYS: the prefix of rows. ARGV: seconds to keep; per app: appid, last day to drop, how many rows, and per
-- row its day, when it was asked for, and its text. Whichever was asked for later stays. A time in the future
-- is of a clock set wrong: one that comes counts as now, one that is there gives way.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local at = 2
while at <= #ARGV do
  local key, drop, rows = KEYS[1] .. ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  at = at + 3
  for row = 1, rows do
    local day, asked, text = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    if tonumber(asked) > now then asked = string.format('%.6f', now) end
    local held = tonumber((redis.call('HGET', key, day) or ''):match('^%S+') or '')
    if not (held and held <= now and held > tonumber(asked)) then
      redis.call('HSET', key, day, asked .. ' ' .. text)
    end
  end
  for _, day in ipairs(redis.call('HKEYS', key)) do
    if day <= drop then redis.call('HDEL', key, day) end
  end
  redis.call('EXPIRE', key, ARGV[1])
end
"""

READ: Final = """
-- KEYS: the text. Gives it, and Redis' time.
local time = redis.call('TIME')
return {redis.call('GET', KEYS[1]), string.format('%d.%06d', time[1], time[2])}
"""

PUT: Final = """
-- KEYS: the text, since when it is known. ARGV: what it is to be, that time, what the text is now (left out:
-- nothing)
if redis.call('GET', KEYS[1]) ~= (ARGV[3] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'EX', 600)
return 1
"""

PUT_BACK: Final = """
-- KEYS and ARGV as before, after Redis has lost its data: of those that put a text back, whoever saw its own
-- there last has the newest.
local known = redis.call('GET', KEYS[2])
local older = known and tonumber(known) < tonumber(ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 1 and not older then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'EX', 600)
return 1
"""

SWAP: Final = """
-- KEYS: the text. ARGV: what it is now, what it is to be
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""

MARK: Final = """
-- KEYS: the mark. ARGV: what it is to be where there is none. Gives what it is.
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
"""

TAKE: Final = """
-- KEYS: the lease. ARGV: holder, milliseconds
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

GIVE_BACK: Final = """
-- KEYS: the lease. ARGV: holder
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
