"""What Redis does in one step, in Lua: nobody sees, or overwrites, half of it.

Of two texts the later one stays. One that is more than five minutes ahead of Redis' own clock is of an
exporter whose clock is wrong: it is not kept, and one that is there counts as none.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from typing import Final

_LATER_WINS: Final = """
local latest = tonumber(redis.call('TIME')[1]) + 300
local refused = 0
local function moment(text)
  local found = tonumber((text or ''):match('^%S+') or '')
  return found and found == found and found or latest + 1
end
"""

SAVE_ROWS: Final = (
    _LATER_WINS
    + """
-- KEYS: the counter, the news. ARGV: prefix, seconds to keep; per app: appid, last day to drop, how many
-- rows, and per row its day and text
local number, at = redis.call('INCR', KEYS[1]), 3
while at <= #ARGV do
  local appid, drop, rows = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local key, news = ARGV[1] .. appid, false
  at = at + 3
  for row = 1, rows do
    local day, text = ARGV[at], ARGV[at + 1]
    at = at + 2
    local held, new = moment(redis.call('HGET', key, day) or nil), moment(text)
    if new > latest then
      refused = refused + 1
    elseif held > latest or held < new then
      redis.call('HSET', key, day, text)
      news = true
    end
  end
  if news then
    for _, day in ipairs(redis.call('HKEYS', key)) do
      if day <= drop then redis.call('HDEL', key, day) end
    end
    redis.call('EXPIRE', key, ARGV[2])
    redis.call('ZADD', KEYS[2], number, appid)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', number - 1000000)
return {number, refused}
"""
)

SAVE_STATES: Final = (
    _LATER_WINS
    + """
-- KEYS: the counter, the news. ARGV: prefix, seconds to keep; per app: appid and text
local number = redis.call('INCR', KEYS[1])
for at = 3, #ARGV, 2 do
  local key, text = ARGV[1] .. ARGV[at], ARGV[at + 1]
  local held, new = moment(redis.call('GET', key) or nil), moment(text)
  if new > latest then
    refused = refused + 1
  elseif held > latest or held < new then
    redis.call('SET', key, text, 'EX', ARGV[2])
    redis.call('ZADD', KEYS[2], number, ARGV[at])
  end
end
return {number, refused}
"""
)

TAKE: Final = """
-- KEYS: the duty. ARGV: holder, milliseconds
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

LEAVE: Final = """
-- KEYS: the duty or lock. ARGV: holder or fence
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

SWAP: Final = """
-- KEYS: the text. ARGV: what it is now, what it is to be
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""

PUT: Final = """
-- KEYS: the text. ARGV: what it is to be, what it is now (left out: nothing)
if redis.call('GET', KEYS[1]) ~= (ARGV[2] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""

LOCK: Final = """
-- KEYS: the lock, the counter of fences. ARGV: milliseconds
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], fence, 'PX', ARGV[1])
return fence
"""

KEEP: Final = """
-- KEYS: the token, its lock. ARGV: fence, text, milliseconds
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""

DROP: Final = """
-- KEYS: the token. ARGV: what the text of the refused one begins with
local held = redis.call('GET', KEYS[1])
if held and held:sub(1, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
