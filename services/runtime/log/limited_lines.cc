#include "services/runtime/log/limited_lines.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace entrepot::runtime {
namespace {

using Clock = std::chrono::steady_clock;

std::string WithCount(const RepeatedLines::Due& due) {
  return absl::StrCat(absl::StripSuffix(due.line, "}\n"), ",\"count\":", due.count, due.mixed ? ",\"mixed\":true" : "",
                      "}\n");
}

}  // namespace

LimitedLines::~LimitedLines() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (writer_.joinable()) writer_.join();
  Flush();
}

bool LimitedLines::Write(absl::string_view key, absl::FunctionRef<std::string()> line,
                         std::chrono::steady_clock::duration interval) {
  bool admitted = false;
  std::vector<RepeatedLines::Due> due;
  {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    due = lines_.TakeDue(now);
    const std::optional<Clock::time_point> before = lines_.NextEnd();
    admitted = lines_.Admit(key, now, line, interval);
    if (lines_.NextEnd() != before) changed_.notify_one();
    if (!admitted && !writer_.joinable()) writer_ = std::thread([this] { WriteWhenDue(); });
  }
  WriteDue(due);
  if (admitted) sink_(line());
  return admitted;
}

void LimitedLines::Flush() {
  std::vector<RepeatedLines::Due> due;
  {
    const std::lock_guard lock(mutex_);
    due = lines_.TakeAll();
  }
  WriteDue(due);
}

void LimitedLines::WriteDue(const std::vector<RepeatedLines::Due>& due) const {
  for (const RepeatedLines::Due& each : due) sink_(WithCount(each));
}

void LimitedLines::WriteWhenDue() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const std::optional<Clock::time_point> end = lines_.NextEnd();
    if (!end.has_value()) {
      changed_.wait(lock);
      continue;
    }
    if (changed_.wait_until(lock, *end) != std::cv_status::timeout) continue;
    const std::vector<RepeatedLines::Due> due = lines_.TakeDue(Clock::now());
    lock.unlock();
    WriteDue(due);
    lock.lock();
  }
}

}  // namespace entrepot::runtime
