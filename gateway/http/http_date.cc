#include "gateway/http/http_date.h"

#include "absl/strings/str_format.h"

namespace entrepot::gateway::http {

std::string FormatHttpDate(std::time_t seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return absl::StrFormat("%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                         kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

absl::string_view HttpDate::Now() {
  const std::time_t now = std::time(nullptr);
  if (now != seconds_) {
    seconds_ = now;
    text_ = FormatHttpDate(now);
  }
  return text_;
}

}  // namespace entrepot::gateway::http
