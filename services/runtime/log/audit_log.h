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
#include "services/runtime/log/limited_lines.h"

namespace entrepot::runtime {

// The audit log: which account did what, from where, and what the registry decided. One JSON object per line, in a file
// of its own or among the lines of the process's log, whatever the log's level:
//   {"time":"2026-11-24T05:20:00.123Z","level":"info","message":"audit","event":"login","account":"ci",...}
// Secrets never belong in it. Thread-safe.
//
// Lines that a client can cause without being allowed anything, such as denials, go through WriteLimited(), so that no
// client can fill the disk. Lines about what was done are always written.
//
// A line that cannot be written is lost. Lost lines are counted (entrepot_audit_lines_lost_total), and the first of
// several in succession is logged as an error.
class AuditLog {
 public:
  // Appends to the file. If it does not exist, it is created, readable by its owner only. An empty path selects the
  // process's log. The message of an error names the file. Several logs may append to one file.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path,
                                                        const std::shared_ptr<prometheus::Registry>& registry);

  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void Write(absl::string_view event, std::initializer_list<LogField> fields);
  // Writes one line a second for each event and `key`, with the number of the others (limited_lines.h). The key
  // contains the client's network and what else divides the lines into few kinds, such as the reason. The others are
  // counted (entrepot_audit_lines_counted_total).
  void WriteLimited(absl::string_view event, absl::string_view key, std::initializer_list<LogField> fields);

 private:
  AuditLog(OwnedFd file, std::string path, prometheus::Counter* lost, prometheus::Counter* counted);
  void WriteLine(absl::string_view line);
  bool WriteAll(absl::string_view line);

  const OwnedFd file_;  // Not open if the lines go to the process's log.
  const std::string path_;
  prometheus::Counter* const lost_;
  prometheus::Counter* const counted_;
  std::mutex mutex_;
  bool torn_ = false;     // Whether the last line was written in part. Guarded by mutex_.
  bool losing_ = false;   // Whether the last line was lost. Guarded by mutex_.
  LimitedLines limited_;  // The last member: it writes when it is destroyed.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_AUDIT_LOG_H_
