#ifndef ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_CONTROL_H_
#define ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_CONTROL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Lets tests decide what happens at failpoints. Programs that link this (tests/failpoints) read environment variables
// before main:
//
//   ENTREPOT_FAILPOINTS      what happens at which failpoint (failpoint_plan.h). If it is invalid, the program prints
//   one
//                            line to stderr and exits with code 2. A line on stderr announces each action.
//   ENTREPOT_FAILPOINTS_LOG  a file to which each failpoint's name is appended, one a line, when it is first reached.
namespace entrepot {

// While this object exists, its handler decides what happens at each failpoint, on the thread that reaches it. Only one
// object may exist at a time. Thread-safe: the destructor waits for running calls of the handler.
class ScopedFailpoints {
 public:
  using Handler = std::function<absl::Status(absl::string_view name)>;

  explicit ScopedFailpoints(Handler handler);
  ScopedFailpoints(const ScopedFailpoints&) = delete;
  ScopedFailpoints& operator=(const ScopedFailpoints&) = delete;
  ~ScopedFailpoints();

 private:
  const Handler handler_;
};

// The names of all failpoints that this process has reached, sorted.
std::vector<std::string> ReachedFailpoints();

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_CONTROL_H_
