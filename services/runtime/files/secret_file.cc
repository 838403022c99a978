#include "services/runtime/files/secret_file.h"

#include <sys/stat.h>

#include "absl/strings/str_format.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::runtime {

bool IsOpenToOthers(const std::string& path) {
  struct stat found;
  return ::stat(path.c_str(), &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

void WarnIfOpenToOthers(const std::string& path) {
  struct stat found;
  if (!IsOpenToOthers(path) || ::stat(path.c_str(), &found) != 0) return;
  Log(LogLevel::kWarning, "other users of the machine may read a file with secrets",
      {{"file", path}, {"mode", absl::StrFormat("%04o", found.st_mode & 07777)}, {"expected", "0600 or 0640"}});
}

}  // namespace entrepot::runtime
