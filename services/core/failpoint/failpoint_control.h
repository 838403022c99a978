#ifndef ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_CONTROL_H_
#define ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_CONTROL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Makes failpoint.h's steps something that tests decide about. Programs linked with this (tests/failpoints) read
// environment variables before main:
//
//   ENTREPOT_FAILPOINTS      what is to happen where (failpoint_plan.h); what cannot be read is one line on stderr, and
//                            exit code 2. Each time that something happens, a line on stderr says so first.
//   ENTREPOT_FAILPOINTS_LOG  a file to which the name of each step is appended, a line each, when it is first reached.
namespace entrepot {

// While it lives, decides what becomes of each step that is reached, on the thread that reaches it. One at a time.
// Thread-safe: its end waits for the calls under way.
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

// The names of all steps that this process has reached, sorted.
std::vector<std::string> ReachedFailpoints();

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_CONTROL_H_
