#include "services/ctl/terminal_output.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/json_util.h"

namespace entrepot::ctl {
namespace {

constexpr std::chrono::milliseconds kCountInterval(200);

}  // namespace

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string Printable(const std::string& text) {
  std::string printable = text;
  std::replace_if(
      printable.begin(), printable.end(), [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); },
      '?');
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

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(message, &text, options);
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::Show(const std::string& text) {
  if (!terminal_ || text == shown_) return;
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  shown_ = text;
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
