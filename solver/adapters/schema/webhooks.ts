// Webhooks and their deliveries.

export const webhooksSchema: readonly string[] = [];
