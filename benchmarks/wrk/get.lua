local here = debug.getinfo(1, "S").source:sub(2):match("(.*/)")
dofile(here .. "report.lua")
function done(summary, latency) report(summary, latency) end
