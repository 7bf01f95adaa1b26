/** What may stand behind each kind of principal in a resource's policy. */
const FORMS: Record<string, RegExp> = {
  AWS: /^(\*|\d{12}|A[A-Z0-9]{15,127}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)\/[^*?]+))$/,
  Service: /^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|aws\.internal)$/,
  Federated: /./,
  CanonicalUser: /./,
};

/**
 * Whether this can be the Principal or NotPrincipal of a resource's policy: "*", or kinds with a name or a list of names each.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function isPolicyPrincipal(value: unknown): boolean {
  if (value === "*") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const kinds = Object.entries(value);
  return kinds.length > 0 && kinds.every(([kind, names]) => Object.hasOwn(FORMS, kind) && areOf(FORMS[kind]!, names));
}

/** The AWS principals that the statements of a well-formed policy name, in Principal and NotPrincipal; not those in its conditions. */
export function namedPrincipals(document: string): string[] {
  const { Statement } = JSON.parse(document) as { Statement?: unknown };
  return [Statement].flat().flatMap((statement) => {
    const { Principal, NotPrincipal } = statement as Record<string, unknown>;
    return [Principal, NotPrincipal].flatMap((value) => {
      if (typeof value !== "object" || value === null || !("AWS" in value)) return [];
      return [value.AWS].flat().filter((name): name is string => typeof name === "string");
    });
  });
}

function areOf(form: RegExp, names: unknown): boolean {
  const list = Array.isArray(names) ? names : [names];
  return list.length > 0 && list.every((name) => typeof name === "string" && form.test(name));
}
