#ifndef ENTREPOT_SERVICES_RUNTIME_LOG_AUDIT_LOG_H_
#define ENTREPOT_SERVICES_RUNTIME_LOG_AUDIT_LOG_H_

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/files/owned_fd.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::runtime {

// Who did what, from where, and what was decided: one JSON object a line, in a file of its own or among the process's
// log lines, whatever the log's level:
//   {"time":"2026-11-24T05:20:00.123Z","level":"info","message":"audit","event":"login","account":"ci",...}
// Secrets never belong in it. Safe from any thread.
//
// A line that cannot be written is lost: it is counted (entrepot_audit_lines_lost_total), and the first of a row is
// logged as an error.
class AuditLog {
 public:
  // Appends to the file, which is made for its owner's eyes alone where there is none; an empty path is the process's
  // log. The error names the file. Several may append to one file.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path,
                                                        const std::shared_ptr<prometheus::Registry>& registry);

  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void Write(absl::string_view event, std::initializer_list<LogField> fields);

 private:
  AuditLog(OwnedFd file, std::string path, prometheus::Counter* lost);
  bool WriteAll(absl::string_view line);

  const OwnedFd file_;  // None: the process's log.
  const std::string path_;
  prometheus::Counter* const lost_;
  std::mutex mutex_;
  bool torn_ = false;    // The last line stopped in the middle; guarded by mutex_.
  bool losing_ = false;  // The last line was lost; guarded by mutex_.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_AUDIT_LOG_H_
