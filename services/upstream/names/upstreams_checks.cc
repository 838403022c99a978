#include "services/upstream/names/upstreams_checks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/duration.pb.h"
#include "services/core/digest.h"
#include "services/core/host_name.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/policy/repository_pattern.h"
#include "services/status/quoted_input.h"
#include "services/upstream/names/bytes_max.h"
#include "services/upstream/names/docker_hub.h"
#include "services/upstream/names/platform.h"
#include "services/upstream/names/upstream_host.h"
#include "services/upstream/names/upstream_url.h"

namespace entrepot::upstream {
namespace {

using config::v1::PinnedTag;
using config::v1::Upstream;
using config::v1::UpstreamCredentials;
using config::v1::Upstreams;
using config::v1::WarmTags;

// A repository's name here has 255 bytes, this one and the name at the upstream.
constexpr size_t kNameBytesMax = 128;
constexpr uint32_t kConnectionsMaxMax = 1024;
constexpr int64_t kHoursMax = 10 * 365 * 24;
constexpr int64_t kWarmSecondsMin = 60;

// A part of a repository's name (core/repository_name.h) that can be the host of a registry too.
bool IsUpstreamName(absl::string_view name) {
  return name.size() <= kNameBytesMax && !absl::StrContains(name, '/') && !absl::StrContains(name, '_') &&
         RepositoryName::Parse(name).ok();
}

// What the names and aliases of all upstreams, or the pins of one, are found twice by.
using Fields = absl::flat_hash_map<std::string, std::string>;

class Checker {
 public:
  Checker(const Upstreams& file, runtime::ConfigProblems* problems) : file_(file), problems_(*problems) {}

  void Check() {
    for (int i = 0; i < file_.upstreams_size(); ++i) {
      CheckUpstream(absl::StrCat("upstreams[", i, "]"), file_.upstreams(i));
    }
    CheckDefaultUpstream();
  }

 private:
  void CheckUpstream(const std::string& field, const Upstream& upstream) {
    CheckNames(field, upstream);
    CheckUrl(field, upstream);
    if (upstream.has_credentials()) CheckCredentials(absl::StrCat(field, ".credentials"), upstream);
    CheckClientCertificate(field, upstream);
    CheckRepositories(field, upstream);
    for (int i = 0; i < upstream.realm_hosts_size(); ++i) {
      CheckHost(absl::StrCat(field, ".realm_hosts[", i, "]"), upstream.realm_hosts(i));
    }
    CheckDuration(absl::StrCat(field, ".tag_ttl"), upstream.tag_ttl());
    CheckDuration(absl::StrCat(field, ".stale_while_revalidate"), upstream.stale_while_revalidate());
    CheckDuration(absl::StrCat(field, ".stale_max"), upstream.stale_max());
    CheckDuration(absl::StrCat(field, ".negative_ttl"), upstream.negative_ttl());
    if (upstream.connections_max() > kConnectionsMaxMax) {
      problems_.Add(absl::StrCat(field, ".connections_max"),
                    absl::StrCat("must be at most ", kConnectionsMaxMax, ", not ", upstream.connections_max()));
    }
    if (!upstream.bytes_max().empty()) {
      const absl::StatusOr<uint64_t> bytes_max = ParseBytesMax(upstream.bytes_max());
      if (!bytes_max.ok()) problems_.Add(absl::StrCat(field, ".bytes_max"), bytes_max.status().message());
    }
    CheckPins(field, upstream);
    for (int i = 0; i < upstream.warm_size(); ++i) {
      CheckWarm(absl::StrCat(field, ".warm[", i, "]"), upstream.warm(i));
    }
  }

  void CheckNames(const std::string& field, const Upstream& upstream) {
    const std::string name = absl::StrCat(field, ".name");
    if (upstream.name().empty()) {
      problems_.Add(name, "is required");
    } else if (!IsUpstreamName(upstream.name())) {
      problems_.Add(name, absl::StrCat(QuotedInput(upstream.name()), " is not a text of up to ", kNameBytesMax,
                                       " lower-case letters and digits, joined by '.' and '-'; a host with a port is "
                                       "an alias"));
    } else {
      AddUnique(name, upstream.name(), &names_);
    }
    for (int i = 0; i < upstream.aliases_size(); ++i) {
      const std::string alias = absl::StrCat(field, ".aliases[", i, "]");
      if (CheckHost(alias, upstream.aliases(i))) AddUnique(alias, upstream.aliases(i), &names_);
    }
  }

  // Adds a problem if it is there already.
  void AddUnique(const std::string& field, const std::string& text, Fields* fields) {
    const auto [other, added] = fields->emplace(text, field);
    if (!added) problems_.Add(field, absl::StrCat(QuotedInput(text), " is ", other->second, " already"));
  }

  bool CheckHost(const std::string& field, const std::string& host) {
    if (FoldHost(host).has_value()) return true;
    problems_.Add(field, absl::StrCat("must be a host, with or without a port, not ", QuotedInput(host)));
    return false;
  }

  void CheckUrl(const std::string& field, const Upstream& upstream) {
    const std::string url = absl::StrCat(field, ".url");
    if (upstream.url().empty()) {
      // Without a name, or with one that is not a name, the default is not known.
      if (IsUpstreamName(upstream.name())) {
        problems_.Add(url, absl::StrCat("is required, since the name ", QuotedInput(upstream.name()), " has no dot"));
      }
      return;
    }
    if (const auto parsed = ParseUpstreamUrl(upstream.url()); !parsed.ok()) {
      problems_.Add(url, parsed.status().message());
    } else if (upstream.has_credentials() && !parsed->https && !IsLoopbackHost(parsed->host)) {
      problems_.Warn(url, absl::StrCat("passwords for ", upstream.name(), " cross the network in clear text"));
    }
  }

  void CheckCredentials(const std::string& field, const Upstream& upstream) {
    const UpstreamCredentials& credentials = upstream.credentials();
    const bool has_password = !credentials.username().empty() || !credentials.password_file().empty();
    if (!has_password && credentials.helper().empty()) {
      return problems_.Add(field, "must have username and password_file, or helper");
    }
    if (has_password && !credentials.helper().empty()) {
      return problems_.Add(field, "must not have helper and also username or password_file");
    }
    if (has_password) CheckPassword(field, credentials);
    if (!credentials.helper().empty() && !absl::StartsWith(credentials.helper(), "/")) {
      problems_.Add(absl::StrCat(field, ".helper"),
                    absl::StrCat("must be an absolute path, not ", QuotedInput(credentials.helper())));
    }
    CheckDuration(absl::StrCat(field, ".helper_lifetime"), credentials.helper_lifetime());
  }

  void CheckPassword(const std::string& field, const UpstreamCredentials& credentials) {
    const std::string& username = credentials.username();
    if (username.empty()) problems_.Add(absl::StrCat(field, ".username"), "is required with password_file");
    if (credentials.password_file().empty()) {
      problems_.Add(absl::StrCat(field, ".password_file"), "is required with username");
    }
    const auto is_bad = [](char c) { return c == ':' || absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
    if (std::any_of(username.begin(), username.end(), is_bad)) {
      problems_.Add(absl::StrCat(field, ".username"),
                    absl::StrCat(QuotedInput(username), " must not contain a ':' or a control character"));
    }
  }

  void CheckClientCertificate(const std::string& field, const Upstream& upstream) {
    const bool has_certificate = !upstream.client_certificate_file().empty();
    if (has_certificate == !upstream.client_key_file().empty()) return;
    if (has_certificate) {
      problems_.Add(absl::StrCat(field, ".client_key_file"), "is required with client_certificate_file");
    } else {
      problems_.Add(absl::StrCat(field, ".client_certificate_file"), "is required with client_key_file");
    }
  }

  void CheckRepositories(const std::string& field, const Upstream& upstream) {
    const bool is_docker_hub = IsDockerHub(upstream);
    for (int i = 0; i < upstream.repositories_size(); ++i) {
      const std::string& pattern = upstream.repositories(i);
      const std::string at = absl::StrCat(field, ".repositories[", i, "]");
      if (const auto parsed = policy::RepositoryPattern::Parse(pattern); !parsed.ok()) {
        problems_.Add(at, parsed.status().message());
      } else if (is_docker_hub && pattern != "**" && !absl::StrContains(pattern, '/')) {
        problems_.Add(at, absl::StrCat(QuotedInput(pattern), " matches no repository of Docker Hub: write \"library/",
                                       pattern, "\""));
      } else if (absl::StartsWith(pattern, absl::StrCat(upstream.name(), "/"))) {
        problems_.Add(at, absl::StrCat(QuotedInput(pattern), " must not begin with the upstream's name"));
      }
    }
  }

  void CheckDuration(const std::string& field, const google::protobuf::Duration& duration) {
    if (duration.seconds() < 0 || duration.nanos() < 0) {
      problems_.Add(field, "must not be negative");
    } else if (duration.seconds() > kHoursMax * 3600) {
      problems_.Add(field, absl::StrCat("must be at most ", kHoursMax, "h"));
    }
  }

  void CheckPins(const std::string& field, const Upstream& upstream) {
    Fields pinned;
    for (int i = 0; i < upstream.pins_size(); ++i) {
      const PinnedTag& pin = upstream.pins(i);
      const std::string at = absl::StrCat(field, ".pins[", i, "]");
      CheckPart<RepositoryName>(absl::StrCat(at, ".repository"), pin.repository());
      CheckPart<Tag>(absl::StrCat(at, ".tag"), pin.tag());
      CheckPart<Digest>(absl::StrCat(at, ".digest"), pin.digest());
      if (!pin.repository().empty() && !pin.tag().empty()) {
        AddUnique(at, absl::StrCat(pin.repository(), ":", pin.tag()), &pinned);
      }
    }
  }

  void CheckWarm(const std::string& field, const WarmTags& warm) {
    CheckPart<RepositoryName>(absl::StrCat(field, ".repository"), warm.repository());
    if (warm.tags().empty()) problems_.Add(absl::StrCat(field, ".tags"), "is required");
    for (int i = 0; i < warm.tags_size(); ++i) CheckPart<Tag>(absl::StrCat(field, ".tags[", i, "]"), warm.tags(i));
    for (int i = 0; i < warm.platforms_size(); ++i) {
      const auto platform = ParsePlatform(warm.platforms(i));
      if (platform.ok()) continue;
      problems_.Add(absl::StrCat(field, ".platforms[", i, "]"), platform.status().message());
    }
    const std::string interval = absl::StrCat(field, ".interval");
    CheckDuration(interval, warm.interval());
    if (warm.has_interval() && warm.interval().seconds() >= 0 && warm.interval().seconds() < kWarmSecondsMin) {
      problems_.Add(interval, "must be at least 1m");
    }
  }

  template <typename Value>
  void CheckPart(const std::string& field, const std::string& text) {
    if (text.empty()) return problems_.Add(field, "is required");
    if (const auto parsed = Value::Parse(text); !parsed.ok()) problems_.Add(field, parsed.status().message());
  }

  void CheckDefaultUpstream() {
    const std::string& name = file_.default_upstream();
    if (name.empty() || problems_.IsUnreadable("upstreams")) return;
    const bool exists = std::any_of(file_.upstreams().begin(), file_.upstreams().end(),
                                    [&](const Upstream& upstream) { return upstream.name() == name; });
    if (!exists)
      problems_.Add("default_upstream", absl::StrCat("there is no upstream with the name ", QuotedInput(name)));
  }

  const Upstreams& file_;
  runtime::ConfigProblems& problems_;
  Fields names_;
};

}  // namespace

void CheckUpstreams(const Upstreams& file, runtime::ConfigProblems* problems) { Checker(file, problems).Check(); }

}  // namespace entrepot::upstream
