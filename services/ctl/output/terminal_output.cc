#include "services/ctl/output/terminal_output.h"

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/util/json_util.h"
#include "services/core/text/utf8.h"
#include "services/core/time/proto_time.h"

namespace entrepot::ctl {
namespace {

constexpr std::chrono::milliseconds kCountInterval(200);

// The bytes of the first character of `text`, which is not empty; 1 if it does not begin with one of UTF-8.
size_t CharacterLength(absl::string_view text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (Utf8PrefixLength(text.substr(0, length)) == length) return length;
  }
  return 1;
}

// Of one character of several bytes.
uint32_t CodePoint(absl::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(character[i])); };
  uint32_t code = byte(0) & (0x7fu >> character.size());
  for (size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3f);
  return code;
}

// Controls (C1), marks and overrides of the writing direction, and characters without a width.
bool IsDeceptive(uint32_t code) {
  return (code >= 0x80 && code < 0xa0) || code == 0xad || code == 0x61c || code == 0x180e ||
         (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
         (code >= 0xe0000 && code <= 0xe007f);
}

}  // namespace

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string Printable(const std::string& text) {
  std::string printable;
  for (absl::string_view rest = text; !rest.empty();) {
    const size_t length = CharacterLength(rest);
    if (length == 1) {
      const bool shown = absl::ascii_isprint(static_cast<unsigned char>(rest[0]));
      printable += shown ? rest[0] : '?';
    } else if (const uint32_t code = CodePoint(rest.substr(0, length)); IsDeceptive(code)) {
      absl::StrAppendFormat(&printable, "\\u{%x}", code);
    } else {
      printable.append(rest.data(), length);
    }
    rest.remove_prefix(length);
  }
  return printable;
}

std::string SizeText(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double size = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // What would be printed as 1024.0 belongs to the next unit.
  for (; size >= 1023.95 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
  return absl::StrFormat("%.1f %s", size, kUnits[unit]);
}

std::string Counted(uint64_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromTimestamp(time), absl::UTCTimeZone());
}

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(message, &text, options);
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

ProgressLine::ProgressLine(std::chrono::milliseconds log_interval)
    : terminal_(isatty(STDERR_FILENO) == 1), log_interval_(log_interval) {}

void ProgressLine::Show(const std::string& text) {
  if (!terminal_ || text == shown_) return;
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  shown_ = text;
}

void ProgressLine::ShowOrLog(const std::string& text, const std::string& line) {
  if (terminal_) return Show(text);
  const auto now = std::chrono::steady_clock::now();
  if (line == shown_ || now - logged_at_ < log_interval_) return;
  std::fprintf(stderr, "%s\n", line.c_str());
  shown_ = line;
  logged_at_ = now;
}

bool ProgressLine::Count(uint64_t operations, uint64_t bytes) {
  operations_ += operations;
  bytes_ += bytes;
  const auto now = std::chrono::steady_clock::now();
  if (now - counted_at_ > kCountInterval) {
    counted_at_ = now;
    Show(absl::StrCat(operations_, " steps, ", SizeText(bytes_)));
  }
  return true;
}

}  // namespace entrepot::ctl
