-- Names and hashes of all keys in Redis, as JSON; without what moves by itself: the worker's health and
-- results, the stand-ins' own keys, and when a thread at rest was last kept young.
local resting = {}
local pairs_of = redis.call('HGETALL', 'lab:resting')
for i = 1, #pairs_of, 2 do resting['ratiba:fsm:thread:' .. pairs_of[i]] = true end
local function sorted(list, step)
  local lines = {}
  for i = 1, #list, step do lines[#lines + 1] = table.concat(list, '\0', i, math.min(i + step - 1, #list)) end
  table.sort(lines)
  return table.concat(lines, '\n')
end
local function content(key, kind)
  if kind == 'string' then
    local value = redis.call('GET', key)
    if resting[key] then
      value = value:gsub('"entered_at": ?"[^"]*"', ''):gsub('"updated_at": ?"[^"]*"', '')
    end
    return value
  elseif kind == 'hash' then
    local fields = redis.call('HGETALL', key)
    if resting[key] then
      for i = 1, #fields, 2 do
        if fields[i] == 'entered_at' or fields[i] == 'updated_at' then fields[i + 1] = '' end
      end
    end
    return sorted(fields, 2)
  elseif kind == 'list' then return table.concat(redis.call('LRANGE', key, 0, -1), '\0')
  elseif kind == 'set' then return sorted(redis.call('SMEMBERS', key), 1)
  elseif kind == 'zset' then return sorted(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), 2)
  end
  return redis.call('DUMP', key)
end
local world = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local moves = key:match('^lab:') or key:match('^arq:.*health%-check') or key:match('^arq:result:')
  if not moves then
    local kind = redis.call('TYPE', key).ok
    local lives = redis.call('PTTL', key) >= 0 and ' for a time' or ''
    world[#world + 1] = { key, kind .. lives .. ' ' .. redis.sha1hex(content(key, kind)) }
  end
end
return cjson.encode(world)
