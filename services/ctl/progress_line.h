#ifndef ENTREPOT_SERVICES_CTL_PROGRESS_LINE_H_
#define ENTREPOT_SERVICES_CTL_PROGRESS_LINE_H_

#include <unistd.h>

#include <cstdio>
#include <string>

namespace entrepot::ctl {

// One line of the standard error, where that is a terminal, written over and gone in the end.
class ProgressLine {
 public:
  ProgressLine() = default;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { Show(""); }

  void Show(const std::string& text) {
    if (!terminal_ || text == shown_) return;
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    shown_ = text;
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::string shown_;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_PROGRESS_LINE_H_
