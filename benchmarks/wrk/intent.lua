-- Each request is a new payment under a key of its own. Arguments: the body, and a word that makes this run's keys unique.
local here = debug.getinfo(1, "S").source:sub(2):match("(.*/)")
dofile(here .. "report.lua")
local threads = 0
function setup(thread) threads = threads + 1; thread:set("number", threads) end
function init(arguments)
  payload, run, counter = arguments[1], arguments[2], 0
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  counter = counter + 1
  wrk.headers["Idempotency-Key"] = string.format("bench-%s-%d-%d", run, number, counter)
  return wrk.format("POST", nil, nil, payload)
end
function done(summary, latency) report(summary, latency) end
