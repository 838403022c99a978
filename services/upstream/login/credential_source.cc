#include "services/upstream/login/credential_source.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/outbound/url.h"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/files/secret_file.h"

namespace entrepot::upstream {
namespace {

constexpr size_t kPasswordBytesMax = 64 * 1024;
constexpr absl::Duration kHelperLifetime = absl::Hours(1);
constexpr absl::Duration kHelperFailureLifetime = absl::Seconds(5);

absl::Duration LifetimeOf(const config::v1::UpstreamCredentials& entry) {
  if (!entry.has_helper_lifetime()) return kHelperLifetime;
  return absl::Seconds(entry.helper_lifetime().seconds()) + absl::Nanoseconds(entry.helper_lifetime().nanos());
}

}  // namespace

CredentialSource::CredentialSource(config::v1::UpstreamCredentials entry, std::string helper_server, const Clock* clock,
                                   const StopSignal* stop)
    : entry_(std::move(entry)),
      helper_server_(std::move(helper_server)),
      helper_lifetime_(LifetimeOf(entry_)),
      clock_(clock),
      stop_(stop) {}

absl::StatusOr<std::optional<Credentials>> CredentialSource::Get() {
  if (!entry_.helper().empty()) return AskHelper();
  if (!entry_.password_file().empty()) return ReadFile();
  return std::nullopt;
}

absl::StatusOr<std::optional<Credentials>> CredentialSource::ReadFile() {
  std::call_once(warned_, [&] { runtime::WarnIfOpenToOthers(entry_.password_file()); });
  auto contents = runtime::ReadFileContents(entry_.password_file(), kPasswordBytesMax);
  if (!contents.ok()) return absl::UnavailableError(contents.status().message());
  while (absl::EndsWith(*contents, "\n") || absl::EndsWith(*contents, "\r")) contents->pop_back();
  if (contents->empty()) return absl::UnavailableError(absl::StrCat(entry_.password_file(), " is empty"));
  return Credentials{.username = entry_.username(), .password = *std::move(contents)};
}

absl::StatusOr<std::optional<Credentials>> CredentialSource::AskHelper() {
  absl::MutexLock lock(&mutex_);
  if (answer_.has_value()) {
    const absl::Duration age = clock_->Now() - answered_at_;
    if (age >= absl::ZeroDuration() && age < (answer_->ok() ? helper_lifetime_ : kHelperFailureLifetime)) {
      return *answer_;
    }
  }
  auto answer = RunCredentialHelper(entry_.helper(), helper_server_, *stop_);
  if (absl::IsCancelled(answer.status())) return answer.status();
  answer_ = std::move(answer);
  answered_at_ = clock_->Now();
  return *answer_;
}

bool CredentialSource::Drop(const Credentials& refused, absl::Duration age_min) {
  // A file is read again in any case.
  if (entry_.helper().empty()) return false;
  absl::MutexLock lock(&mutex_);
  if (!answer_.has_value() || !answer_->ok() || **answer_ != refused) return true;
  if (clock_->Now() - answered_at_ < age_min) return false;
  answer_.reset();
  return true;
}

std::string CredentialHelperServer(const config::v1::Upstream& upstream) {
  const auto url = outbound::ParseUrl(upstream.url());
  if (!url.ok()) return upstream.name();
  if (url->host == "docker.io" || absl::EndsWith(url->host, ".docker.io")) return "https://index.docker.io/v1/";
  return url->port.empty() ? url->host : absl::StrCat(url->host, ":", url->port);
}

}  // namespace entrepot::upstream
