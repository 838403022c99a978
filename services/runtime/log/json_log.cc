#include "services/runtime/log/json_log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/core/text/utf8.h"

namespace entrepot::runtime {
namespace {

std::atomic<LogLevel> process_level{LogLevel::kInfo};

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

void AppendEscaped(char c, std::string* line) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      line->append("\\\"");
      return;
    case '\\':
      line->append("\\\\");
      return;
    case '\n':
      line->append("\\n");
      return;
    case '\r':
      line->append("\\r");
      return;
    case '\t':
      line->append("\\t");
      return;
    default:
      break;
  }
  const uint8_t byte = static_cast<uint8_t>(c);
  // DEL too: a terminal that shows the log must not interpret it.
  if (byte < 0x20 || byte == 0x7f) {
    line->append("\\u00");
    line->push_back(kHex[byte >> 4]);
    line->push_back(kHex[byte & 15]);
  } else {
    line->push_back(c);
  }
}

void AppendString(absl::string_view text, std::string* line) {
  line->push_back('"');
  while (true) {
    const size_t valid = Utf8PrefixLength(text);
    for (char c : text.substr(0, valid)) AppendEscaped(c, line);
    if (valid == text.size()) break;
    line->append("\xEF\xBF\xBD");
    text.remove_prefix(valid + 1);
  }
  line->push_back('"');
}

void AppendDouble(double value, std::string* line) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  const absl::string_view text(digits, static_cast<size_t>(end - digits));
  // JSON has neither infinity nor NaN.
  std::isfinite(value) ? absl::StrAppend(line, text) : AppendString(text, line);
}

struct ValueAppender {
  std::string* line;

  void operator()(absl::string_view value) const { AppendString(value, line); }
  void operator()(int64_t value) const { absl::StrAppend(line, value); }
  void operator()(uint64_t value) const { absl::StrAppend(line, value); }
  void operator()(double value) const { AppendDouble(value, line); }
  void operator()(bool value) const { line->append(value ? "true" : "false"); }
};

}  // namespace

std::string FormatLogLine(absl::Time time, LogLevel level, absl::string_view message,
                          absl::Span<const LogField> fields) {
  std::string line;
  line.reserve(256);
  absl::StrAppend(&line, "{\"time\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()),
                  "\",\"level\":\"", LevelName(level), "\",\"message\":");
  AppendString(message, &line);
  for (const LogField& field : fields) {
    line.push_back(',');
    AppendString(field.key(), &line);
    line.push_back(':');
    std::visit(ValueAppender{&line}, field.value());
  }
  line.append("}\n");
  return line;
}

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  Log(level, message, absl::MakeConstSpan(fields.begin(), fields.size()));
}

void Log(LogLevel level, absl::string_view message, absl::Span<const LogField> fields) {
  if (!LogEnabled(level)) return;
  WriteLogLine(FormatLogLine(absl::Now(), level, message, fields));
}

void WriteLogLine(absl::string_view line) {
  ssize_t written;
  do {
    written = ::write(STDERR_FILENO, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
}

void LogLibraryLine(absl::string_view library, absl::string_view line) {
  Log(LogLevel::kWarning, library, {{"line", line}});
}

bool LogEnabled(LogLevel level) { return level >= process_level.load(std::memory_order_relaxed); }

void SetLogLevel(LogLevel level) { process_level.store(level, std::memory_order_relaxed); }

std::optional<LogLevel> ParseLogLevel(absl::string_view name) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (name == LevelName(level)) return level;
  }
  return std::nullopt;
}

}  // namespace entrepot::runtime
