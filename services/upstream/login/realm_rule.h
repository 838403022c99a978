#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_REALM_RULE_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_REALM_RULE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/outbound/url.h"

namespace entrepot::upstream {

// The domain below a public suffix that a host belongs to: "docker.io" for "auth.docker.io". nullopt for IP addresses,
// single labels, public suffixes, and names that are not in lower-case ASCII.
std::optional<std::string> RegistrableDomain(absl::string_view host);

// Which token services an upstream may name, and which of them may get the upstream's credentials. Immutable.
class RealmRule {
 public:
  enum class Use {
    kCredentials,  // With the credentials.
    kAnonymous,    // Without: it belongs to another owner.
    kRefused,      // Not at all: not https although the upstream is, or no URL for requests.
  };

  // `realm_hosts`: hosts, with or without a port, that may get the credentials too.
  RealmRule(outbound::Url upstream, std::vector<std::string> realm_hosts)
      : upstream_(std::move(upstream)), realm_hosts_(std::move(realm_hosts)) {}

  // The credentials may go to the upstream's own host, at any port, to a host of the same registrable domain, and to
  // `realm_hosts`. In domains whose hosts belong to many owners (azurecr.io), they go to the own host only.
  Use For(const outbound::Url& realm) const;

 private:
  bool MayHaveCredentials(const outbound::Url& realm) const;

  const outbound::Url upstream_;
  const std::vector<std::string> realm_hosts_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_REALM_RULE_H_
