#include "services/runtime/grpc/grpc_transport.h"

#include "grpc/support/log.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::runtime {
namespace {

// gRPC's lines of severity INFO describe its own internals.
LogLevel LevelOf(gpr_log_severity severity) {
  return severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kError : LogLevel::kDebug;
}

void LogLine(gpr_log_func_args* line) {
  Log(LevelOf(line->severity), "gRPC", {{"text", line->message}, {"file", line->file}, {"line", line->line}});
}

}  // namespace

void SendGrpcLogToJsonLog() { gpr_set_log_function(LogLine); }

}  // namespace entrepot::runtime
