-- Users log in in turn, each from one of the two threads only. Arguments: the bodies, one for each user.
local here = debug.getinfo(1, "S").source:sub(2):match("(.*/)")
dofile(here .. "report.lua")
local known = 0
function setup(thread) thread:set("number", known); known = known + 1 end
function init(arguments)
  bodies, turn = {}, 0
  for index = number + 1, #arguments, 2 do
    bodies[#bodies + 1] = arguments[index]
  end
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  turn = turn % #bodies + 1
  return wrk.format("POST", nil, nil, bodies[turn])
end
function done(summary, latency) report(summary, latency) end
