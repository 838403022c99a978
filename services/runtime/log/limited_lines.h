#ifndef ENTREPOT_SERVICES_RUNTIME_LOG_LIMITED_LINES_H_
#define ENTREPOT_SERVICES_RUNTIME_LOG_LIMITED_LINES_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "services/runtime/log/repeated_lines.h"

namespace entrepot::runtime {

// Writes lines that clients can cause as often as they want: of each key one in an interval, a second if no other is
// given (RepeatedLines). A line that stands for others, which came after an earlier one, has their number in the field
// "count"; the sum of the counts, and 1 for each line without one, is the number of events. If "mixed" is true, the
// others may have different keys.
//
// A thread, which begins with the first line that is counted, writes the counts when their interval is over. The
// destructor writes those that are left. Thread-safe.
class LimitedLines {
 public:
  // Called with whole lines, from any thread.
  using Sink = std::function<void(absl::string_view line)>;

  explicit LimitedLines(Sink sink) : sink_(std::move(sink)) {}
  ~LimitedLines();

  LimitedLines(const LimitedLines&) = delete;
  LimitedLines& operator=(const LimitedLines&) = delete;

  // `line` makes the line as FormatLogLine() does. Returns false if the line was counted instead.
  bool Write(absl::string_view key, absl::FunctionRef<std::string()> line,
             std::chrono::steady_clock::duration interval = RepeatedLines::kInterval);
  // Writes all counts now.
  void Flush();

 private:
  void WriteDue(const std::vector<RepeatedLines::Due>& due) const;
  void WriteWhenDue();

  const Sink sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  RepeatedLines lines_;  // Guarded by mutex_, as all below.
  bool ending_ = false;
  std::thread writer_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_LIMITED_LINES_H_
