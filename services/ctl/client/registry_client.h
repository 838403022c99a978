#ifndef ENTREPOT_SERVICES_CTL_CLIENT_REGISTRY_CLIENT_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_REGISTRY_CLIENT_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "google/protobuf/message.h"
#include "services/ctl/client/http_client.h"
#include "services/ctl/command_line/command.h"

namespace entrepot::ctl {

// Sends a command's requests to a registry. It logs in with the first request that needs a token, asking for the
// password if it has none. Not thread-safe.
class RegistryClient {
 public:
  struct Options {
    std::string registry;  // "https://registry.example", without a slash at its end.
    // Whether requests cross a network without encryption.
    bool is_unencrypted = false;
    std::string username = {};
    std::string password_file = {};
    std::string password = {};
    std::string ca_file = {};
  };
  // From the command line and, for the password, the environment. kInvalidArgument: --registry is not the address of a
  // registry.
  static absl::StatusOr<Options> OptionsOf(const CommandLine& line);

  // `http` must outlive it.
  RegistryClient(Options options, HttpClient& http);
  // For commands that need no registry: requests return `unusable`, why there are no options.
  RegistryClient(absl::Status unusable, HttpClient& http);

  // The methods below return kInvalidArgument if the user has not given what the login needs, kUnavailable if there was
  // no answer or a 503, kUnauthenticated for a 401, kNotFound for a 404, else kFailedPrecondition; the message contains
  // the registry's.

  // Has the auth service execute a request.
  absl::StatusOr<auth::v1::AdministerResponse> Administer(const auth::v1::AdministerRequest& request);
  // Has the manifest service execute a request; without a login if the registry has no accounts.
  absl::StatusOr<manifest::v1::MaintainResponse> Maintain(const manifest::v1::MaintainRequest& request);
  // The same for the upstream service. kNotFound if the registry has no upstreams.
  absl::StatusOr<upstream::v1::ManageUpstreamsResponse> ManageUpstreams(
      const upstream::v1::ManageUpstreamsRequest& request);
  absl::Status DeleteRepository(const std::string& name);
  // Sends a request of the distribution API; `request.url` is its path, or a whole URL for another server, to which no
  // credentials go. Returns the answer whatever its status, but a 401 as the error above. `scopes` are those of the
  // token that it needs ("repository:a/b:pull"), separated by spaces. Without an account the request is anonymous.
  absl::StatusOr<HttpAnswer> SendContent(HttpRequest request, const std::string& scopes);

  // The whole URL of a path.
  std::string Url(absl::string_view path) const { return absl::StrCat(options_.registry, path); }
  // After a successful call: whether the registry has accounts.
  bool logged_in() const { return !token_.empty(); }

 private:
  // Fetches a token unless there is one. kNotFound if the registry has no accounts.
  absl::Status LogIn();
  // A token for scopes that are separated by spaces. kNotFound if the registry has no accounts.
  absl::StatusOr<std::string> FetchToken(const std::string& scopes);
  absl::StatusOr<std::string> Password();
  absl::StatusOr<HttpAnswer> Send(HttpRequest request);
  // POSTs a message and parses the answer into `response`.
  absl::Status Exchange(const std::string& url, const google::protobuf::Message& request,
                        google::protobuf::Message* response);
  // The same with a login, if the registry has accounts.
  absl::Status ExchangeAsAdministrator(const std::string& url, const google::protobuf::Message& request,
                                       google::protobuf::Message* response);

  const absl::Status unusable_;
  const Options options_;
  HttpClient& http_;
  std::string password_;
  std::string token_;
  // Of SendContent(), by their scopes.
  std::map<std::string, std::string> content_tokens_;
  bool has_no_accounts_ = false;
  bool has_warned_ = false;
};

// The error that an answer without success is, by the codes of RegistryClient's methods.
absl::Status AnswerError(const HttpAnswer& answer);

// The status and the errors of a registry's answer: "403 DENIED: <message> (<detail>)".
std::string ErrorText(const HttpAnswer& answer);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_REGISTRY_CLIENT_H_
