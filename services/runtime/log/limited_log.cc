#include "services/runtime/log/limited_log.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/runtime/log/limited_lines.h"

namespace entrepot::runtime {
namespace {

// Never destroyed: other threads may log while the process exits.
LimitedLines& ProcessLines() {
  static auto* const lines = new LimitedLines(WriteLogLine);
  return *lines;
}

}  // namespace

void LogLimited(LogLevel level, absl::string_view message, absl::string_view key,
                std::initializer_list<LogField> fields, std::chrono::steady_clock::duration interval) {
  if (!LogEnabled(level)) return;
  ProcessLines().Write(
      absl::StrCat(message, " ", key),
      [&] { return FormatLogLine(absl::Now(), level, message, absl::MakeConstSpan(fields.begin(), fields.size())); },
      interval);
}

void FlushLimitedLog() { ProcessLines().Flush(); }

}  // namespace entrepot::runtime
