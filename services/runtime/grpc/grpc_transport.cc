#include "services/runtime/grpc/grpc_transport.h"

#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::runtime {
namespace {

// gRPC's lines of severity INFO describe its own internals.
LogLevel LevelOf(gpr_log_severity severity) {
  return severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kError : LogLevel::kDebug;
}

// A peer can cause lines, for example by handshakes that fail.
void LogLine(gpr_log_func_args* line) {
  LogLimited(LevelOf(line->severity), "gRPC", absl::StrCat(line->file, ":", line->line),
             {{"text", line->message}, {"file", line->file}, {"line", line->line}});
}

}  // namespace

void SendGrpcLogToJsonLog() { gpr_set_log_function(LogLine); }

}  // namespace entrepot::runtime
