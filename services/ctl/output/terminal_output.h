#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_TERMINAL_OUTPUT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_TERMINAL_OUTPUT_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"

namespace entrepot::ctl {

// Writes to the standard output.
void Print(const std::string& text);

// The text with "?" for each ASCII control character, which could rewrite the terminal, and with "\\u{202e}" and the
// like for each character of Unicode that is invisible or changes the order of the text around it. Bytes that are not
// UTF-8 become "?" too.
std::string Printable(const std::string& text);

// "512 B", "1.5 GiB".
std::string SizeText(uint64_t bytes);

// "1 blob", "2 blobs".
std::string Counted(uint64_t count, absl::string_view what);

// "2026-01-02 03:04:05", in UTC.
std::string TimeText(const google::protobuf::Timestamp& time);

// The message in protobuf's JSON mapping, with all its fields and a newline.
std::string MessageJson(const google::protobuf::Message& message);

// A line that shows progress on the standard error, if that is a terminal; elsewhere nothing. Each text replaces the
// one before; the destructor erases the line. One thread.
class ProgressLine {
 public:
  // Where there is no terminal, ShowOrLog() writes one line in `log_interval`.
  explicit ProgressLine(std::chrono::milliseconds log_interval = std::chrono::seconds(5));
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { Show(""); }

  void Show(const std::string& text);
  // Shows `text`; elsewhere than on a terminal it writes `line`, with a newline, to the standard error.
  void ShowOrLog(const std::string& text, const std::string& line);
  // Adds to the totals and shows them, at most five times a second. Always true, as a Pace (core/time/stop_signal.h)
  // that stops nothing.
  bool Count(uint64_t operations, uint64_t bytes);

 private:
  const bool terminal_;
  const std::chrono::milliseconds log_interval_;
  std::chrono::steady_clock::time_point logged_at_ = std::chrono::steady_clock::now();
  std::string shown_;
  uint64_t operations_ = 0;
  uint64_t bytes_ = 0;
  std::chrono::steady_clock::time_point counted_at_;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_TERMINAL_OUTPUT_H_
