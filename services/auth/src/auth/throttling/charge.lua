-- Count one attempt as a failure under all tallies, or none where one of them says to wait. See backoff.py.
-- KEYS: the mark of a familiar pair, then the tallies, each "failures open_at"; the pair's own is the first
-- ARGV: now, then free, longest and window of each tally; times in milliseconds
-- Returns: milliseconds to wait, how many tallies were charged.
local now = tonumber(ARGV[1])
local count = #KEYS - 1
if redis.call('EXISTS', KEYS[1]) == 1 then
  count = 1
end
local failures, wait = {}, 0
for i = 1, count do
  local window = tonumber(ARGV[3 * i + 1])
  local known = redis.call('GET', KEYS[i + 1])
  failures[i] = 0
  if known then
    local counted, open_at = string.match(known, '^(%d+) (%d+)$')
    if tonumber(open_at) + window > now then
      failures[i] = tonumber(counted)
      if failures[i] >= tonumber(ARGV[3 * i - 1]) then
        wait = math.max(wait, tonumber(open_at) - now)
      end
    end
  end
end
if wait > 0 then
  return {wait, 0}
end
for i = 1, count do
  local free, longest, window = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local counted, lock = failures[i] + 1, 0
  if counted >= free then
    lock = math.min(longest, 1000 * 2 ^ math.min(counted - free, 40))
  end
  redis.call('SET', KEYS[i + 1], string.format('%d %.0f', counted, now + lock), 'PX', string.format('%.0f', lock + window))
end
return {0, count}
