#include "services/policy/incomplete_manifests.h"

#include <string>

#include "absl/algorithm/container.h"

namespace entrepot::policy {

IncompleteManifests::IncompleteManifests(const config::v1::Policy& file) {
  for (const config::v1::Policy::IncompleteManifestRule& rule : file.incomplete_manifests()) {
    Rule& added = rules_.emplace_back();
    for (const std::string& pattern : rule.repositories()) {
      added.repositories.push_back(RepositoryPattern::Parse(pattern).value());
    }
    for (const std::string& name : rule.allow()) Allow(name, &added.allow);
  }
}

Tolerance IncompleteManifests::For(const RepositoryName& repository) const {
  Tolerance tolerance;
  for (const Rule& rule : rules_) {
    const bool covers = absl::c_any_of(
        rule.repositories, [&](const RepositoryPattern& pattern) { return pattern.Matches(repository.ToString()); });
    if (!covers) continue;
    tolerance.absent_children |= rule.allow.absent_children;
    tolerance.absent_layers |= rule.allow.absent_layers;
    tolerance.wrong_child_sizes |= rule.allow.wrong_child_sizes;
  }
  return tolerance;
}

bool Allow(absl::string_view name, Tolerance* tolerance) {
  if (name == "absent_children") return tolerance->absent_children = true;
  if (name == "absent_layers") return tolerance->absent_layers = true;
  if (name == "wrong_child_sizes") return tolerance->wrong_child_sizes = true;
  return false;
}

}  // namespace entrepot::policy
