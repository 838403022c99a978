#ifndef ENTREPOT_SERVICES_RUNTIME_LOG_JSON_LOG_H_
#define ENTREPOT_SERVICES_RUNTIME_LOG_JSON_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace entrepot::runtime {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One key and value of a log line. It refers to its texts and must not outlive them: construct it in the call of Log().
class LogField {
 public:
  using Value = std::variant<absl::string_view, int64_t, uint64_t, double, bool>;

  LogField(absl::string_view key, absl::string_view value) : key_(key), value_(value) {}
  LogField(absl::string_view key, const char* value) : key_(key), value_(absl::string_view(value)) {}
  LogField(absl::string_view key, const std::string& value) : key_(key), value_(absl::string_view(value)) {}
  LogField(absl::string_view key, std::floating_point auto value) : key_(key), value_(static_cast<double>(value)) {}
  LogField(absl::string_view key, std::integral auto value) : key_(key), value_(ToValue(value)) {}

  absl::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  template <typename T>
  static Value ToValue(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<int64_t>(value);
    } else {
      return static_cast<uint64_t>(value);
    }
  }

  absl::string_view key_;
  Value value_;
};

// Writes one JSON object and a newline to stderr with one write(2):
//   {"time":"2026-11-24T05:20:00.123Z","level":"info","message":"serving","port":5000}
// Bytes that are not UTF-8 become U+FFFD. If `level` is below the process's level, it returns at once. Thread-safe;
// never fails (a line that cannot be written is lost). Secrets and the values of Authorization headers never belong in
// it.
void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});
// The same for fields that are not known at compile time.
void Log(LogLevel level, absl::string_view message, absl::Span<const LogField> fields);

// Logs a line of a library that has a log of its own, as a warning: {"message":<library>,"line":<line>}.
void LogLibraryLine(absl::string_view library, absl::string_view line);

// Writes a line of FormatLogLine() as Log() does, whatever its level.
void WriteLogLine(absl::string_view line);

// Whether Log() would write the line. For avoiding work that only serves the line.
bool LogEnabled(LogLevel level);

// Sets the process's level, which is kInfo before. service_main does so before any other thread starts.
void SetLogLevel(LogLevel level);

// "debug", "info", "warning", "error"; nullopt for anything else.
std::optional<LogLevel> ParseLogLevel(absl::string_view name);

// The line that Log() writes, including its newline.
std::string FormatLogLine(absl::Time time, LogLevel level, absl::string_view message,
                          absl::Span<const LogField> fields);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_JSON_LOG_H_
