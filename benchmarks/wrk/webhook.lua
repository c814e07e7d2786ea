-- Each request is a notification that was signed before. Argument: a file of "<signature> <body>" lines.
local here = debug.getinfo(1, "S").source:sub(2):match("(.*/)")
dofile(here .. "report.lua")
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(arguments)
  notifications, position = {}, number
  for line in io.lines(arguments[1]) do
    local signature, body = line:match("^(%S+) (.*)$")
    notifications[#notifications + 1] = { signature, body }
  end
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  local notification = notifications[position % #notifications + 1]
  position = position + 2
  wrk.headers["DIGEST"] = notification[1]
  return wrk.format("POST", nil, nil, notification[2])
end
function done(summary, latency) report(summary, latency) end
