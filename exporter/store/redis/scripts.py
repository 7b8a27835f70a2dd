"""What Redis does in one step, in Lua: nobody sees, or overwrites, half of it.

Of two texts the later one stays. One that is more than five minutes ahead of Redis' own clock is of an
exporter whose clock is wrong: it is not kept, and one that is there counts as none.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from typing import Final

SAVE_ROWS: Final = """
-- KEYS: the prefix of rows. ARGV: seconds to keep; per app: appid, last day to drop, how many rows, and per
-- row its day and text
local latest = tonumber(redis.call('TIME')[1]) + 300
local refused = 0
local function moment(text)
  local found = tonumber((text or ''):match('^%S+') or '')
  return found and found == found and found or latest + 1
end
local at = 2
while at <= #ARGV do
  local key, drop, rows = KEYS[1] .. ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local written = false
  at = at + 3
  for row = 1, rows do
    local day, text = ARGV[at], ARGV[at + 1]
    at = at + 2
    local held, new = moment(redis.call('HGET', key, day) or nil), moment(text)
    if new > latest then
      refused = refused + 1
    elseif held > latest or held < new then
      redis.call('HSET', key, day, text)
      written = true
    end
  end
  if written then
    for _, day in ipairs(redis.call('HKEYS', key)) do
      if day <= drop then redis.call('HDEL', key, day) end
    end
    redis.call('EXPIRE', key, ARGV[1])
  end
end
return refused
"""

TAKE: Final = """
-- KEYS: the duty. ARGV: holder, milliseconds
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

UNLOCK: Final = """
-- KEYS: the lock. ARGV: fence
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
