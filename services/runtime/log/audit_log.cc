#include "services/runtime/log/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "prometheus/family.h"

namespace entrepot::runtime {
namespace {

std::string FormatAuditLine(absl::string_view event, std::initializer_list<LogField> fields) {
  std::vector<LogField> all = {{"event", event}};
  all.insert(all.end(), fields.begin(), fields.end());
  return FormatLogLine(absl::Now(), LogLevel::kInfo, "audit", all);
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& path,
                                                         const std::shared_ptr<prometheus::Registry>& registry) {
  OwnedFd file;
  if (!path.empty()) {
    file = OwnedFd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file.get() < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write to the audit file ", path));
  }
  prometheus::Counter& lost = prometheus::BuildCounter()
                                  .Name("entrepot_audit_lines_lost_total")
                                  .Help("Lines of the audit log that could not be written.")
                                  .Register(*registry)
                                  .Add({});
  prometheus::Counter& counted = prometheus::BuildCounter()
                                     .Name("entrepot_audit_lines_counted_total")
                                     .Help("Lines of the audit log that were counted in another line of their second.")
                                     .Register(*registry)
                                     .Add({});
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(file), path, &lost, &counted));
}

AuditLog::AuditLog(OwnedFd file, std::string path, prometheus::Counter* lost, prometheus::Counter* counted)
    : file_(std::move(file)),
      path_(std::move(path)),
      lost_(lost),
      counted_(counted),
      limited_([this](absl::string_view line) { WriteLine(line); }) {}

void AuditLog::Write(absl::string_view event, std::initializer_list<LogField> fields) {
  WriteLine(FormatAuditLine(event, fields));
}

void AuditLog::WriteLimited(absl::string_view event, absl::string_view key, std::initializer_list<LogField> fields) {
  const bool written = limited_.Write(absl::StrCat(event, " ", key), [&] { return FormatAuditLine(event, fields); });
  if (!written) counted_->Increment();
}

void AuditLog::WriteLine(absl::string_view line) {
  const std::lock_guard lock(mutex_);
  if (WriteAll(torn_ ? absl::StrCat("\n", line) : std::string(line))) {
    losing_ = false;
    return;
  }
  const int error = errno;
  lost_->Increment();
  if (std::exchange(losing_, true)) return;
  Log(LogLevel::kError, "lines of the audit log are lost", {{"file", path_}, {"error", std::strerror(error)}});
}

bool AuditLog::WriteAll(absl::string_view line) {
  const int fd = file_.get() < 0 ? STDERR_FILENO : file_.get();
  size_t written = 0;
  while (written < line.size()) {
    const ssize_t count = ::write(fd, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      torn_ = torn_ || written > 0;
      return false;
    }
    written += static_cast<size_t>(count);
  }
  torn_ = false;
  return true;
}

}  // namespace entrepot::runtime
