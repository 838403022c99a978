#ifndef ENTREPOT_SERVICES_RUNTIME_LOG_LIMITED_LOG_H_
#define ENTREPOT_SERVICES_RUNTIME_LOG_LIMITED_LOG_H_

#include <chrono>
#include <initializer_list>

#include "absl/strings/string_view.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/log/repeated_lines.h"

namespace entrepot::runtime {

// Log() for lines that a client can cause with each request: of each message and key one in the interval, with the
// number of the others (limited_lines.h). A key is an address, a reason or the like. The contract of Log() holds
// otherwise.
void LogLimited(LogLevel level, absl::string_view message, absl::string_view key,
                std::initializer_list<LogField> fields,
                std::chrono::steady_clock::duration interval = RepeatedLines::kInterval);

// Writes the numbers that are not written yet. For the end of the process.
void FlushLimitedLog();

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_LIMITED_LOG_H_
